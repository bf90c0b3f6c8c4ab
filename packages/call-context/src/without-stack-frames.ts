/** `Error.stackTraceLimit` as it will be again; `undefined` while it is as it should be. */
let limitOutside: number | undefined;

/**
 * Runs `fn`, where errors are made whose frames would be those of a socket's event, and tell nobody anything. V8 takes
 * about a microsecond per frame to collect and to write them, and what waits is a cancellation on its way to the next
 * service. No code of a user's may run in there before {@link withStackFramesAgain}.
 */
export function withoutStackFrames<A, B, C, Result>(fn: (a: A, b: B, c: C) => Result, a: A, b: B, c: C): Result {
  if (limitOutside !== undefined) {
    return fn(a, b, c);
  }
  limitOutside = Error.stackTraceLimit;
  // Not by assignment, which throws where the intrinsics are frozen.
  Reflect.set(Error, 'stackTraceLimit', 0);
  try {
    return fn(a, b, c);
  } finally {
    withStackFramesAgain();
  }
}

/** For what comes after the errors inside of {@link withoutStackFrames}: a user's callback. */
export function withStackFramesAgain(): void {
  if (limitOutside !== undefined) {
    Reflect.set(Error, 'stackTraceLimit', limitOutside);
    limitOutside = undefined;
  }
}
