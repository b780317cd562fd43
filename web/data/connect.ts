import { connect } from '../../src/client/client.ts'
import { recall } from './memory.ts'
import { createPage } from './page-store.ts'

/** The one page store, on the server this page came from; who we are is in the cookie. */
export const page = createPage(connect({ url: location.origin }), recall('workspace'))
