import type { Carrel } from '../../api/index.ts'

/** Carrel opened by a program: operations, logs, and an optional server. */
export interface OpenedCarrel extends Carrel {
  /** Real path of the data folder. */
  readonly dataFolder: string
  /** Access token over HTTP. A secret. */
  readonly token: string
  /** Serves page and API; host and port default to the configuration. May be called more than once. */
  serve(options?: ServeOptions): Promise<Served>
  /** Stops servers, then runs; runs that wait for a person are kept. Idempotent. */
  close(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

export interface ServeOptions {
  readonly host?: string
  /** 0 for any free port. */
  readonly port?: number
  /** False serves the API without the page. */
  readonly web?: boolean
}

export interface Served {
  /** `http://127.0.0.1:4747` */
  readonly url: string
  /** Address that logs in and opens the page. A secret. */
  readonly loginUrl: string
  readonly port: number
  /** Ends the streams, gives open answers a moment to finish, then closes all connections. Idempotent. */
  close(): Promise<void>
}
