import { CarrelError } from '../../model/errors.ts'
import { sizeWords } from '../../model/settings/sizes.ts'
import type { UpgradeFinding, UpgradeRoom } from '../../model/upgrade.ts'
import type { Copy } from './copies.ts'

/** Returns the error of an upgrade that filled a disk. `disk` begins the message, `doing` names the step. */
export function diskFull(disk: string, doing: string, room: readonly UpgradeRoom[], cause: unknown): CarrelError {
  const needs = room.map(({ where, neededBytes }) => `up to ${sizeWords(neededBytes)} on the disk of ${where}`)
  const message = `${disk} became full during ${doing} of the upgrade, and nothing was changed. The upgrade needs ${needs.join(' and ')}. Make room, then start Carrel again.`
  return new CarrelError('unavailable', message, { step: doing, room }, cause)
}

export function stepFailed(doing: string, detail: string, cause: unknown): CarrelError {
  const message = `The upgrade failed at ${doing}: ${detail}. Nothing was changed. Continue with the earlier version of Carrel, and report this with the output of \`carrel upgrade check --json\`.`
  return new CarrelError('internal', message, { step: doing }, cause)
}

/** Adds to the error of a failed try which copy this try made. Other errors, and a try without a copy, stay as they are. */
export function withCopy(error: unknown, copy: Copy | null): unknown {
  if (!(error instanceof CarrelError) || copy === null) return error
  const message = `${error.message} The copy that this try made is ${copy.name}.`
  return new CarrelError(error.code, message, { ...(error.data as object), copy: copy.name }, error.cause)
}

export function sampleFailed(reason: string): UpgradeFinding {
  const text = `The upgrade was tried on a sample of the rows and failed: ${reason}`
  const next = 'Continue with the earlier version of Carrel, and report this.'
  return { level: 'block', kind: 'trial', text, next }
}
