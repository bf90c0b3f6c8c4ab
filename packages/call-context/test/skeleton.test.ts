import * as callContext from '@grpc-di/call-context';
import * as opener from '@grpc-di/call-context/opener';
import { expect, test } from '@jest/globals';

// Proves the tool chain only; remove when real tests exist.
test('tests import the package by its public name', () => {
  expect(callContext).toBeDefined();
  expect(opener).toBeDefined();
});
