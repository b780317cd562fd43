import { openWorld } from '../support/carrel-world.ts'
import { describeCarrel } from './carrel.ts'

describeCarrel('Carrel in process, on SQLite', openWorld)
