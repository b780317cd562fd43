export { type CurrentStore, describeStore, type OpenedStore, type OpenStore } from './store.ts'
