import type { Tx } from './tx.ts'

/** The transaction behind one method of the store. `args` are the method's own, because they cross threads. */
export type StoreOperation<Method> = Method extends (...args: infer Args) => infer Result
  ? (tx: Tx, args: Args) => Result
  : never
