import { describeValue } from '@grpc-di/call-context/opener';
import { expect, test } from '@jest/globals';

test.each([
  ['soon', "'soon'"],
  [undefined, 'undefined'],
  [null, 'null'],
  [Number.NaN, 'NaN'],
  [10n, '10n'],
  [new Date(Number.NaN), 'Invalid Date'],
  [{ seconds: 1, nanos: { of: 0 } }, '{ seconds: 1, nanos: [Object] }'],
  [[1, 2, 3, 4, 5, 6, 7], '[ 1, 2, 3, 4, 5, ... 2 more items ]'],
  ['x'.repeat(70), `'${'x'.repeat(60)}'... 10 more characters`],
  [class Users {}, '[class Users]'],
  [Object.create(null), '[Object: null prototype] {}'],
])('a wrong value is shown in a line: %p', (value, text) => {
  expect(describeValue(value)).toBe(text);
});
