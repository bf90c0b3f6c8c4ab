/** Whether two types are the same one; `any` is the same as nothing but `any`. */
export type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends <T>() => T extends B ? 1 : 2 ? true : false;

/** Compiles when the type is `true`; does nothing. */
export function expectType<_Holds extends true>(): void {}
