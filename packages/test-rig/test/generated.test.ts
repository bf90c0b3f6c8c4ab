import { LeafService, RelayService } from '@grpc-di/test-rig';
import { expect, test } from '@jest/globals';

test('both services have the four kinds of calls', () => {
  for (const service of [RelayService, LeafService]) {
    const kinds = Object.values(service).map((method) => [method.requestStream, method.responseStream]);
    expect(kinds).toEqual([
      [false, false],
      [false, true],
      [true, false],
      [true, true],
    ]);
  }
  expect(LeafService.bidi.path).toBe('/grpc_di.test.v1.Leaf/Bidi');
});
