import { CarrelError } from '../../model/errors.ts'
import type { InteractionId, RuleId, WorkspaceId } from '../../model/ids.ts'
import { type Interaction, misfit } from '../../model/interaction.ts'
import type { Rule } from '../../model/rules.ts'
import { enter, mayAnswer, whoOf } from '../authorize.ts'
import type { Context } from '../context.ts'
import type { Op } from '../op.ts'

export const listInteractions: Op<'interactions.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const page = await ctx.store.people.interactions(
    input.workspace,
    { state: input.state, session: input.session },
    { cursor: input.cursor ?? null, limit: input.limit },
  )
  return { interactions: [...page.rows], cursor: page.cursor }
}

export const getInteraction: Op<'interactions.get'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return await interactionIn(ctx, input.workspace, input.id)
}

/** Stores the answer. The supervisor passes it to the agent that waits, or resumes the parked run (I2). */
export const answerInteraction: Op<'interactions.answer'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const interaction = await interactionIn(ctx, input.workspace, input.id)
  mayAnswer(caller)
  const wrong = misfit(interaction.question, input.answer)
  if (wrong !== null) throw new CarrelError('bad_input', wrong, { options: interaction.question.options })
  const data = { interaction: input.id, answer: input.answer, by: whoOf(caller) }
  await ctx.store.log.submit(
    input.workspace,
    interaction.session,
    { type: 'interaction.answered', data },
    { now: ctx.now() },
  )
  return await interactionIn(ctx, input.workspace, input.id)
}

async function interactionIn(ctx: Context, workspace: WorkspaceId, id: InteractionId): Promise<Interaction> {
  const interaction = await ctx.store.people.interaction(workspace, id)
  if (!interaction) {
    const message = `There is no question ${id} in this workspace. \`carrel inbox\` shows the open ones.`
    throw new CarrelError('not_found', message, { id })
  }
  return interaction
}

export const listRules: Op<'rules.list'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  return { rules: await ctx.store.people.rules(input.workspace) }
}

export const addRule: Op<'rules.add'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const { workspace, before, ...fields } = input
  if (fields.space !== null && !(await ctx.store.tree.space(workspace, fields.space))) {
    throw new CarrelError('not_found', `There is no Space ${fields.space} in this workspace.`, { space: fields.space })
  }
  if (
    fields.action === 'allow' &&
    [fields.agent, fields.toolKind, fields.path, fields.command, fields.space].every((each) => each === null)
  ) {
    const message =
      'A rule that allows everything to every agent is not a rule. Name an agent, a tool kind, a path, a command or a Space.'
    throw new CarrelError('bad_input', message)
  }
  const rule: Rule = { ...fields, workspace, id: ctx.id('rule') as RuleId, createdAt: ctx.now() }
  return await ctx.store.people.addRule(rule, before ?? null, ctx.now())
}

export const moveRule: Op<'rules.move'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const moved = await ctx.store.people.moveRule({ ...input, before: input.before ?? null }, ctx.now())
  if (!moved) throw noRule(input.id)
  return moved
}

export const removeRule: Op<'rules.remove'> = async (ctx, caller, input) => {
  await enter(ctx, caller, input.workspace)
  const removed = await ctx.store.people.removeRule(input.workspace, input.id, ctx.now())
  if (!removed) throw noRule(input.id)
  return { removed }
}

const noRule = (id: RuleId): CarrelError =>
  new CarrelError(
    'not_found',
    `There is no rule ${id} in this workspace. \`carrel rules list\` shows the rules of this workspace.`,
    { id },
  )
