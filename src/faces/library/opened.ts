import type { Carrel } from '../../api/index.ts'

/** Carrel inside of a program: the operations, the logs, and a server where one is wanted. */
export interface OpenedCarrel extends Carrel {
  /** Where its data is, as a real path. */
  readonly dataFolder: string
  /** Proves to be the owner over HTTP. A secret. */
  readonly token: string
  /** Serves page and API as well; host and port as configured unless said here. May be called more than once. */
  serve(options?: ServeOptions): Promise<Served>
  /** Stops servers, then runs; what waits for a person is kept. Safe to repeat. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ServeOptions {
  readonly host?: string
  /** 0 takes a free one. */
  readonly port?: number
  /** False serves the API without the page. */
  readonly web?: boolean
}

/** A server that a program has opened. */
export interface Served {
  /** `http://127.0.0.1:4747` */
  readonly url: string
  /** Opens the page logged in. A secret. */
  readonly loginUrl: string
  readonly port: number
  /** Ends the streams, lets answers under way finish for a moment, then hangs up. Safe to repeat. */
  close(): Promise<void>
}
