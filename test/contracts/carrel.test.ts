import { makeTestFolder, openWorld } from '../support/carrel-world.ts'
import { sharing } from '../support/shared-world.ts'
import { describeCarrel } from './carrel.ts'

const open = sharing((settings, atEnd) => openWorld(settings, {}, makeTestFolder({}, atEnd), atEnd))

describeCarrel('Carrel in process, on SQLite', open)
