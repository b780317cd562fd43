import { makeGround, openWorld } from '../support/carrel-world.ts'
import { sharing } from '../support/shared-world.ts'
import { describeCarrel } from './carrel.ts'

const open = sharing((settings, atEnd) => openWorld(settings, {}, makeGround({}, atEnd), atEnd))

describeCarrel('Carrel in process, on SQLite', open)
