/**
 * Runs `fn`, where errors are made whose frames would be those of a socket's event, and tell nobody anything. V8 takes
 * about a microsecond per frame to collect and to write them, and what waits is a cancellation on its way to the next
 * service. No code of a user's may run in there.
 */
export function withoutStackFrames<A, B, C, Result>(fn: (a: A, b: B, c: C) => Result, a: A, b: B, c: C): Result {
  const { stackTraceLimit } = Error;
  // Not by assignment, which throws where the intrinsics are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return fn(a, b, c);
  } finally {
    Reflect.set(Error, 'stackTraceLimit', stackTraceLimit);
  }
}
