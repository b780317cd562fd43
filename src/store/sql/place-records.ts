import { CarrelError } from '../../model/errors.ts'
import type { TreeStore } from '../store.ts'
import type { StoreOperation } from './operation.ts'
import { fromJson, toJson, toProject } from './rows.ts'
import { patchRow } from './tree.ts'
import { addLines } from './workspace-lines.ts'

export const setPlace: StoreOperation<TreeStore['setPlace']> = async (tx, [workspace, id, { place, record }, now]) => {
  const row = await patchRow(
    tx,
    'projects',
    { id, workspace },
    {
      place_path: place.path,
      place_state: place.state,
      place_driver: place.driver,
      place_branch: place.branch,
      place_note: place.note,
      place_record: record === undefined ? undefined : toJson(record),
    },
  )
  if (!row) throw new CarrelError('not_found', `There is no project ${id}.`, { project: id })
  const project = toProject(row)
  addLines(tx, workspace, [{ type: 'project.changed', data: { project } }], now)
  return project
}

export const placeRecord: StoreOperation<TreeStore['placeRecord']> = async (tx, [workspace, id]) => {
  const row = await tx.get<{ place_record: string | null }>(
    'select place_record from projects where id = $1 and workspace = $2',
    id,
    workspace,
  )
  return fromJson(row?.place_record)
}

export const fileRules: StoreOperation<TreeStore['fileRules']> = async (tx, [workspace, id]) => {
  const row = await tx.get<{ file_rules: string | null }>(
    'select file_rules from spaces where id = $1 and workspace = $2',
    id,
    workspace,
  )
  return fromJson(row?.file_rules)
}

export const setFileRules: StoreOperation<TreeStore['setFileRules']> = async (tx, [workspace, id, rules]) => {
  const row = await patchRow(tx, 'spaces', { id, workspace }, { file_rules: toJson(rules) })
  if (!row) throw new CarrelError('not_found', `There is no Space ${id}.`, { space: id })
}
