import type { OperationName, Output, Parsed } from '../api/index.ts'
import type { Caller } from '../model/tree.ts'
import type { Context } from './context.ts'

/** What carries out one operation: input is parsed, the caller is known, authorisation is the function's own first line. */
export type Op<N extends OperationName> = (
  ctx: Context,
  caller: Caller,
  input: Parsed<N>,
  signal?: AbortSignal,
) => Promise<Output<N>>
