import type { OperationName, Output, Parsed } from '../api/index.ts'
import type { Caller } from '../model/tree.ts'
import type { Context } from './context.ts'

/** Implements one operation. Input is parsed and the caller is authenticated; the function authorizes first. */
export type Op<N extends OperationName> = (
  ctx: Context,
  caller: Caller,
  input: Parsed<N>,
  signal?: AbortSignal,
) => Promise<Output<N>>
