#!/usr/bin/env node
import fs from 'node:fs'
// Scripted fake model server. Plain Node >= 18, no dependencies, loopback only, no state between requests.
//
//   node model-server.mjs [--port 0] [--rules rules.json] [--log requests.jsonl] [--dump dir] [--title text]
//   -> prints one line {"url":"http://127.0.0.1:PORT","port":PORT} when it listens.
//
// Dialects (each streams when asked to, else answers in one JSON body):
//   POST /v1/chat/completions                              OpenAI chat completions
//   POST /v1/responses                                     OpenAI responses
//   POST /v1/messages, /v1/messages/count_tokens           Anthropic messages
//   POST /v1beta/models/M:{streamG,g}enerateContent        Gemini (also :countTokens)
//   GET  /v1/models, /v1beta/models                        model lists
//   GET  /__log       requests seen (dialect, model, tools, last user text, last tool result, conversation, step, reply)
//   POST /__rules     replace the rules at run time;  POST /__release  let every `gate` step go on
//
// What it answers is decided by the request alone, so any number of agents and sessions can share one server:
//   1. A directive inside the prompt wins:   @@fake [step, step, ...] @@end
//   2. else the first rule whose `match` (RegExp source) fits the last user text:
//        [{"match":"add a file","steps":[...]}]
//   3. else it echoes:  "echo: <last 60 characters of the last user text>"
// The step is picked by how many model replies already follow the directive (or the matching user text) in the
// conversation, so a restarted agent that replays its history goes on where it was. Past the last step: {"text":"done"}.
// A request that offers no tools, or asks to generate a title, gets the text of --title (default "Fake title").
//
// Steps:
//   {"text":"hello world","chunks":5,"delayMs":20}     text, streamed in `chunks` pieces, `delayMs` apart
//   {"think":"hm","text":"..."}                        reasoning first (where the dialect has it)
//   {"tool":"write","path":"/abs/f","content":"x"}     also: read {path}, edit {path,old,new}, bash {command}
//   {"tool":"bash","command":"x","escalate":true}      asks Codex to leave its sandbox (a permission request)
//   {"tool":"new_page","args":{...}}                   any tool by its own name; an MCP tool without its server prefix
//   {"tools":[{...},{...}]}                            parallel tool calls
//   {"hang":true,"text":"partial"}                     streams the text, then leaves the stream open
//   {"gate":true,"text":"..."}                         waits for POST /__release after the first chunk
//   {"drop":true,"text":"partial"}                     streams the text, then cuts the connection
//   {"error":{"status":429,"message":"slow down"}}     an HTTP error
// write/read/edit/bash are mapped onto whatever tools the agent offers (Write, write_file, create, apply_patch,
// shell, exec_command, ...) and their arguments onto that tool's JSON schema; unknown required ones are filled in.
import http from 'node:http'

const arg = (name, dflt) => {
  const i = process.argv.indexOf(`--${name}`)
  return i < 0 ? dflt : process.argv[i + 1]
}
const TITLE = arg('title', 'Fake title')
const LOG = arg('log')
const DUMP = arg('dump') // Whole request bodies, one file each.
let rules = arg('rules') ? JSON.parse(fs.readFileSync(arg('rules'), 'utf8')) : []
const seen = []
let gates = []
let seq = 0
const sleep = (ms) => new Promise((r) => setTimeout(r, ms))
const id = (p) => `${p}_fake${String(++seq).padStart(6, '0')}`
const textOf = (c) => (typeof c === 'string' ? c : Array.isArray(c) ? c.map((b) => b?.text ?? '').join('\n') : '')

// ---------------------------------------------------------------- normalise: [{role:'user'|'model'|'tool'|'system', text}]
const normalise = {
  chat: (b) => ({
    turns: (b.messages ?? []).map((m) => ({
      role: m.role === 'assistant' ? 'model' : m.role === 'tool' ? 'tool' : m.role === 'user' ? 'user' : 'system',
      text: textOf(m.content),
      result: m.role === 'tool' ? textOf(m.content) : undefined,
    })),
    tools: (b.tools ?? []).map((t) => ({
      name: t.function?.name ?? t.name,
      schema: t.function?.parameters ?? t.parameters,
    })),
  }),
  messages: (b) => ({
    turns: (b.messages ?? []).map((m) => {
      const blocks = Array.isArray(m.content) ? m.content : [{ type: 'text', text: m.content }]
      const text = textOf(blocks.filter((x) => x.type === 'text'))
      const results = blocks.filter((x) => x.type === 'tool_result')
      return {
        role: m.role === 'assistant' ? 'model' : m.role === 'system' ? 'system' : results.length ? 'tool' : 'user',
        text,
        result: results.map((x) => textOf(x.content)).join('\n'),
      }
    }),
    tools: (b.tools ?? []).map((t) => ({ name: t.name, schema: t.input_schema })).filter((t) => t.schema),
  }),
  responses: (b) => {
    const items = typeof b.input === 'string' ? [{ type: 'message', role: 'user', content: b.input }] : (b.input ?? [])
    const flat = (ts) => ts.flatMap((t) => (t.type === 'namespace' && Array.isArray(t.tools) ? flat(t.tools) : [t]))
    return {
      turns: items.map((m) => {
        const t = m.type ?? 'message'
        if (t === 'message')
          return {
            role: m.role === 'assistant' ? 'model' : m.role === 'user' ? 'user' : 'system',
            text: textOf(m.content),
          }
        if (t === 'additional_tools') return { role: 'system', text: '' }
        return {
          role: t.endsWith('_output') ? 'tool' : 'model',
          text: '',
          result: t.endsWith('_output') ? textOf(m.output) : undefined,
        }
      }),
      // Codex lists its tools in a developer item of the input instead of `tools` when the model runs in "code mode".
      tools: flat([
        ...(b.tools ?? []),
        ...items.filter((m) => m.type === 'additional_tools').flatMap((m) => m.tools ?? []),
      ])
        .filter((t) => t.type === 'function' || t.type === 'custom')
        .map((t) => ({ name: t.name, schema: t.parameters, custom: t.type === 'custom' })),
    }
  },
  gemini: (b) => ({
    turns: (b.contents ?? []).map((m) => ({
      role: m.role === 'model' ? 'model' : (m.parts ?? []).some((p) => p.functionResponse) ? 'tool' : 'user',
      text: textOf(m.parts),
      result: (m.parts ?? [])
        .map((p) => p.functionResponse && JSON.stringify(p.functionResponse.response))
        .filter(Boolean)
        .join('\n'),
    })),
    tools: (b.tools ?? [])
      .flatMap((t) => t.functionDeclarations ?? [])
      .map((f) => ({ name: f.name, schema: f.parametersJsonSchema ?? f.parameters })),
  }),
}

const DIRECTIVE = /@@fake\s*(\[[\s\S]*?\])\s*@@end/g
// Agents may join a cancelled prompt and the next one into one message: the last directive counts.
const directiveIn = (text) => [...text.matchAll(DIRECTIVE)].at(-1)?.[1]
function decide({ turns, tools }) {
  const users = turns.map((t, i) => ({ ...t, i })).filter((t) => (t.role === 'user' || t.role === 'tool') && t.text)
  const plain = users.filter((t) => t.role === 'user')
  const stepsAfter = (i) => {
    // Groups of model turns after turn i.
    let n = 0,
      inModel = false
    for (const t of turns.slice(i + 1)) {
      if (t.role === 'model' && !inModel) n++
      inModel = t.role === 'model'
    }
    return n
  }
  const last = plain.at(-1)
  const from = [...users].reverse().find((t) => directiveIn(t.text) !== undefined)
  const base = { user: last?.text ?? '', step: 0 }
  const titling = /generat\w* (?:\S+ ){0,4}title/i.test((last?.text ?? '').split('@@fake')[0])
  if (tools.length === 0 || titling) return { ...base, reply: { text: TITLE } }
  if (from) {
    const steps = JSON.parse(directiveIn(from.text))
    const step = stepsAfter(from.i)
    // A later prompt of its own ends the script; text that agents inject as user text (<reminder>, [note]) does not.
    const later = plain.some(
      (t) =>
        t.i > from.i &&
        (!/^\s*[<[]/.test(t.text) ||
          (step >= steps.length && turns.slice(from.i, t.i).some((x) => x.role === 'model'))),
    )
    if (!later) return { ...base, step, reply: steps[step] ?? { text: 'done' } }
  }
  const rule = last && rules.find((r) => new RegExp(r.match, 'i').test(last.text))
  if (rule) {
    const step = stepsAfter(last.i)
    return { ...base, step, reply: rule.steps[step] ?? { text: 'done' } }
  }
  return { ...base, reply: { text: `echo: ${(last?.text ?? '').trim().slice(-60)}` } }
}

// ---------------------------------------------------------------- map abstract tools onto the offered ones
const NAMES = {
  write: [
    'write',
    'write_file',
    'writefile',
    'write_to_file',
    'create',
    'create_file',
    'save-file',
    'editor',
    'apply_patch',
  ],
  edit: [
    'edit',
    'replace',
    'edit_file',
    'str_replace',
    'strreplacefile',
    'replace_in_file',
    'str_replace_editor',
    'editor',
    'apply_patch',
  ],
  read: ['read', 'read_file', 'readfile', 'read_files', 'view', 'cat'],
  bash: [
    'bash',
    'shell',
    'run_shell_command',
    'exec_command',
    'shell_command',
    'execute_command',
    'run_commands',
    'local_shell',
    'terminal',
  ],
}
const ARGS = {
  path: /^(file_?path|path|absolute_path|target_file|filename)$/i,
  content: /^(content|contents|file_text|text|new_text)$/i,
  old: /^(old_?(string|str|text)?)$/i,
  new: /^(new_?(string|str|text)?)$/i,
  command: /^(command|cmd|script|commands)$/i,
}
const filler = (s, name) =>
  name === 'timeout'
    ? 60000
    : s?.enum
      ? s.enum[0]
      : s?.default !== undefined
        ? s.default
        : ({
            string: name === 'description' ? 'scripted call' : 'scripted',
            number: 1,
            integer: 1,
            boolean: false,
            array: [],
            object: {},
          }[[s?.type].flat()[0]] ?? 'scripted')
const lines = (s, sign) =>
  String(s ?? '')
    .replace(/\n$/, '')
    .split('\n')
    .map((l) => sign + l)
    .join('\n')
function patchOf(call) {
  if (call.tool === 'edit')
    return `*** Begin Patch\n*** Update File: ${call.path}\n@@\n${lines(call.old, '-')}\n${lines(call.new, '+')}\n*** End Patch`
  return `*** Begin Patch\n*** Add File: ${call.path}\n${lines(call.content, '+')}\n*** End Patch`
}
const ESCALATE = { sandbox_permissions: 'require_escalated', justification: 'scripted call' }
const CODE_MODE = {
  // A call for an agent whose only tool runs JavaScript.
  bash: (c) =>
    `const r = await tools.exec_command(${JSON.stringify({ cmd: c.command, ...(c.escalate && ESCALATE) })}); text(r.output ?? r);`,
  read: (c) =>
    `const r = await tools.exec_command({ cmd: ${JSON.stringify(`cat '${c.path}'`)} }); text(r.output ?? r);`,
  write: (c) => `const r = await tools.apply_patch(${JSON.stringify(patchOf(c))}); text(r);`,
  edit: (c) => `const r = await tools.apply_patch(${JSON.stringify(patchOf(c))}); text(r);`,
  other: (c) =>
    `const t = ALL_TOOLS.find((x) => x.name.endsWith(${JSON.stringify(c.tool)})); text(await tools[t.name](${JSON.stringify(c.args ?? {})}));`,
}
function resolveTool(call, tools) {
  const names = NAMES[call.tool] ?? [call.tool.toLowerCase()]
  const find = (ns) =>
    ns.map((n) => tools.find((t) => t.name.toLowerCase().replace(/^mcp__acp__/, '') === n)).find(Boolean)
  let tool = find(names)
  let c = call
  if (!tool && find(['exec'])?.custom)
    return { name: 'exec', custom: true, input: (CODE_MODE[call.tool] ?? CODE_MODE.other)(call) }
  tool ??= tools.find((t) => t.name.endsWith(`_${call.tool}`)) // An MCP tool by its own name.
  if (!tool && (call.tool === 'write' || call.tool === 'read')) {
    // Agents with a shell only.
    tool = find(NAMES.bash)
    c = {
      tool: 'bash',
      command:
        call.tool === 'read' ? `cat '${call.path}'` : `cat > '${call.path}' <<'FAKE_EOF'\n${call.content}\nFAKE_EOF`,
    }
  }
  if (!tool) return { name: call.tool, args: call.args ?? {} }
  if (c.args) return { name: tool.name, args: c.args }
  if (tool.name === 'apply_patch')
    return tool.custom
      ? { name: tool.name, custom: true, input: patchOf(c) }
      : { name: tool.name, args: { [Object.keys(tool.schema?.properties ?? {})[0] ?? 'input']: patchOf(c) } }
  const props = tool.schema?.properties ?? {}
  const args = {}
  for (const [name, s] of Object.entries(props)) {
    if (name === 'edits' && c.old !== undefined) {
      // A list of replacements.
      args[name] = [
        Object.fromEntries(
          Object.keys(s.items?.properties ?? {}).map((k) => [
            k,
            ARGS.old.test(k) ? c.old : ARGS.new.test(k) ? c.new : undefined,
          ]),
        ),
      ]
      continue
    }
    const key = Object.keys(ARGS).find((k) => c[k] !== undefined && ARGS[k].test(name))
    const type = [s.type].flat()[0]?.toLowerCase()
    if (c.escalate && ESCALATE[name]) args[name] = ESCALATE[name]
    else if (key) args[name] = type === 'array' ? (name === 'commands' ? [c[key]] : ['bash', '-lc', c[key]]) : c[key]
    else if ((tool.schema.required ?? []).includes(name))
      args[name] = name === 'command' && s.enum ? (c.tool === 'write' ? 'create' : 'str_replace') : filler(s, name)
  }
  return { name: tool.name, args }
}

// ---------------------------------------------------------------- write one reply in a dialect
const pieces = (s, n) => {
  const size = Math.max(1, Math.ceil(s.length / Math.max(1, n ?? 4)))
  return s.match(new RegExp(`[\\s\\S]{1,${size}}`, 'g')) ?? []
}
const usageOf = (raw, out) => ({ i: Math.ceil(raw.length / 4), o: Math.ceil(out.length / 4) })

// Each dialect is a generator of SSE records [event|null, data|string]; 'TICK' marks a place to wait between chunks.
const dialects = {
  *chat({ model, think, text, calls, chunks, u, body }) {
    const base = { id: id('chatcmpl'), object: 'chat.completion.chunk', created: 1700000000, model }
    const d = (delta, finish = null) => [null, { ...base, choices: [{ index: 0, delta, finish_reason: finish }] }]
    yield d({ role: 'assistant', content: '' })
    for (const p of think ? pieces(think, chunks) : []) {
      yield d({ reasoning_content: p })
      yield 'TICK'
    }
    for (const p of pieces(text, chunks)) {
      yield d({ content: p })
      yield 'TICK'
    }
    for (const [index, c] of calls.entries()) {
      yield d({ tool_calls: [{ index, id: id('call'), type: 'function', function: { name: c.name, arguments: '' } }] })
      for (const p of pieces(JSON.stringify(c.args), chunks))
        yield d({ tool_calls: [{ index, function: { arguments: p } }] })
    }
    yield 'END'
    yield d({}, calls.length ? 'tool_calls' : 'stop')
    if (body.stream_options?.include_usage)
      yield [
        null,
        { ...base, choices: [], usage: { prompt_tokens: u.i, completion_tokens: u.o, total_tokens: u.i + u.o } },
      ]
    yield [null, '[DONE]']
  },
  *messages({ model, think, text, calls, chunks, u }) {
    const ev = (type, rest) => [type, { type, ...rest }]
    yield ev('message_start', {
      message: {
        id: id('msg'),
        type: 'message',
        role: 'assistant',
        model,
        content: [],
        stop_reason: null,
        stop_sequence: null,
        usage: { input_tokens: u.i, output_tokens: 1, cache_creation_input_tokens: 0, cache_read_input_tokens: 0 },
      },
    })
    let index = 0
    const block = function* (start, deltas) {
      yield ev('content_block_start', { index, content_block: start })
      for (const x of deltas) {
        yield ev('content_block_delta', { index, delta: x })
        if (start.type !== 'tool_use') yield 'TICK'
      }
      yield 'BLOCK' // An aborted stream stops before the block is closed.
      yield ev('content_block_stop', { index: index++ })
    }
    if (think)
      yield* block({ type: 'thinking', thinking: '', signature: '' }, [
        ...pieces(think, chunks).map((t) => ({ type: 'thinking_delta', thinking: t })),
        { type: 'signature_delta', signature: 'ZmFrZQ==' },
      ])
    if (text)
      yield* block(
        { type: 'text', text: '' },
        pieces(text, chunks).map((t) => ({ type: 'text_delta', text: t })),
      )
    for (const c of calls)
      yield* block(
        { type: 'tool_use', id: id('toolu'), name: c.name, input: {} },
        pieces(JSON.stringify(c.args), chunks).map((t) => ({ type: 'input_json_delta', partial_json: t })),
      )
    yield 'END'
    yield ev('message_delta', {
      delta: { stop_reason: calls.length ? 'tool_use' : 'end_turn', stop_sequence: null },
      usage: { output_tokens: u.o },
    })
    yield ev('message_stop', {})
  },
  *responses({ model, think, text, calls, chunks, u }) {
    let n = 0
    const ev = (type, rest) => [type, { type, sequence_number: n++, ...rest }]
    const response = {
      id: id('resp'),
      object: 'response',
      created_at: 1700000000,
      status: 'in_progress',
      model,
      output: [],
      parallel_tool_calls: true,
      tools: [],
      tool_choice: 'auto',
      error: null,
      incomplete_details: null,
      instructions: null,
      metadata: {},
    }
    yield ev('response.created', { response })
    yield ev('response.in_progress', { response })
    const out = []
    const item = function* (added, mid, done) {
      const output_index = out.length
      yield ev('response.output_item.added', { output_index, item: added })
      yield* mid(output_index)
      out.push(done)
      yield ev('response.output_item.done', { output_index, item: done })
    }
    if (think) {
      const rid = id('rs')
      yield* item(
        { type: 'reasoning', id: rid, summary: [] },
        function* (output_index) {
          yield ev('response.reasoning_summary_part.added', {
            item_id: rid,
            output_index,
            summary_index: 0,
            part: { type: 'summary_text', text: '' },
          })
          for (const p of pieces(think, chunks)) {
            yield ev('response.reasoning_summary_text.delta', {
              item_id: rid,
              output_index,
              summary_index: 0,
              delta: p,
            })
            yield 'TICK'
          }
          yield ev('response.reasoning_summary_text.done', {
            item_id: rid,
            output_index,
            summary_index: 0,
            text: think,
          })
          yield ev('response.reasoning_summary_part.done', {
            item_id: rid,
            output_index,
            summary_index: 0,
            part: { type: 'summary_text', text: think },
          })
        },
        { type: 'reasoning', id: rid, summary: [{ type: 'summary_text', text: think }], encrypted_content: null },
      )
    }
    if (text) {
      const mid = id('msg')
      const part = (t) => ({ type: 'output_text', text: t, annotations: [], logprobs: [] })
      yield* item(
        { type: 'message', id: mid, role: 'assistant', status: 'in_progress', content: [] },
        function* (output_index) {
          const at = { item_id: mid, output_index, content_index: 0 }
          yield ev('response.content_part.added', { ...at, part: part('') })
          for (const p of pieces(text, chunks)) {
            yield ev('response.output_text.delta', { ...at, delta: p, logprobs: [] })
            yield 'TICK'
          }
          yield 'BLOCK'
          yield ev('response.output_text.done', { ...at, text, logprobs: [] })
          yield ev('response.content_part.done', { ...at, part: part(text) })
        },
        { type: 'message', id: mid, role: 'assistant', status: 'completed', content: [part(text)] },
      )
    }
    for (const c of calls) {
      // The terminal item carries the whole call, as the real API does.
      const call_id = id('call')
      if (c.custom)
        yield* item(
          { type: 'custom_tool_call', id: id('ctc'), call_id, name: c.name, input: '', status: 'in_progress' },
          function* () {},
          { type: 'custom_tool_call', id: id('ctc'), call_id, name: c.name, input: c.input, status: 'completed' },
        )
      else {
        const fid = id('fc'),
          json = JSON.stringify(c.args)
        yield* item(
          { type: 'function_call', id: fid, call_id, name: c.name, arguments: '', status: 'in_progress' },
          function* (output_index) {
            for (const p of pieces(json, chunks))
              yield ev('response.function_call_arguments.delta', { item_id: fid, output_index, delta: p })
            yield ev('response.function_call_arguments.done', {
              item_id: fid,
              output_index,
              name: c.name,
              arguments: json,
            })
          },
          { type: 'function_call', id: fid, call_id, name: c.name, arguments: json, status: 'completed' },
        )
      }
    }
    yield 'END'
    yield ev('response.completed', {
      response: {
        ...response,
        status: 'completed',
        output: out,
        usage: {
          input_tokens: u.i,
          input_tokens_details: { cached_tokens: 0 },
          output_tokens: u.o,
          output_tokens_details: { reasoning_tokens: 0 },
          total_tokens: u.i + u.o,
        },
      },
    })
  },
  *gemini({ model, think, text, calls, chunks, u }) {
    const d = (parts, finishReason) => [
      null,
      {
        candidates: [{ index: 0, content: { role: 'model', parts }, ...(finishReason && { finishReason }) }],
        modelVersion: model,
        responseId: 'fake',
        usageMetadata: { promptTokenCount: u.i, candidatesTokenCount: u.o, totalTokenCount: u.i + u.o },
      },
    ]
    for (const p of think ? pieces(think, chunks) : []) {
      yield d([{ text: p, thought: true }])
      yield 'TICK'
    }
    for (const p of pieces(text, chunks)) {
      yield d([{ text: p }])
      yield 'TICK'
    }
    if (calls.length) yield d(calls.map((c) => ({ functionCall: { id: id('fc'), name: c.name, args: c.args } })))
    yield 'END'
    yield d([{ text: '' }], 'STOP')
  },
}
// The same reply as one JSON body, for callers that do not stream.
const whole = {
  chat: (r) => ({
    id: id('chatcmpl'),
    object: 'chat.completion',
    created: 1700000000,
    model: r.model,
    choices: [
      {
        index: 0,
        finish_reason: r.calls.length ? 'tool_calls' : 'stop',
        message: {
          role: 'assistant',
          content: r.text,
          ...(r.calls.length && {
            tool_calls: r.calls.map((c) => ({
              id: id('call'),
              type: 'function',
              function: { name: c.name, arguments: JSON.stringify(c.args) },
            })),
          }),
        },
      },
    ],
    usage: { prompt_tokens: r.u.i, completion_tokens: r.u.o, total_tokens: r.u.i + r.u.o },
  }),
  messages: (r) => ({
    id: id('msg'),
    type: 'message',
    role: 'assistant',
    model: r.model,
    content: [
      ...(r.text ? [{ type: 'text', text: r.text }] : []),
      ...r.calls.map((c) => ({ type: 'tool_use', id: id('toolu'), name: c.name, input: c.args })),
    ],
    stop_reason: r.calls.length ? 'tool_use' : 'end_turn',
    stop_sequence: null,
    usage: { input_tokens: r.u.i, output_tokens: r.u.o },
  }),
  responses: (r) => {
    let last
    for (const e of dialects.responses(r)) if (Array.isArray(e)) last = e
    return last[1].response
  },
  gemini: (r) => ({
    candidates: [
      {
        index: 0,
        finishReason: 'STOP',
        content: {
          role: 'model',
          parts: [
            ...(r.text ? [{ text: r.text }] : []),
            ...r.calls.map((c) => ({ functionCall: { name: c.name, args: c.args } })),
          ],
        },
      },
    ],
    modelVersion: r.model,
    usageMetadata: { promptTokenCount: r.u.i, candidatesTokenCount: r.u.o, totalTokenCount: r.u.i + r.u.o },
  }),
}

// ---------------------------------------------------------------- HTTP
function route(path, body) {
  let m
  if (/\/chat\/completions$/.test(path)) return { dialect: 'chat', model: body.model, stream: body.stream === true }
  if (/\/responses$/.test(path)) return { dialect: 'responses', model: body.model, stream: body.stream === true }
  if (/\/messages$/.test(path)) return { dialect: 'messages', model: body.model, stream: body.stream === true }
  m = /\/models\/([^/:]+):(stream)?generateContent$/i.exec(path)
  if (m) return { dialect: 'gemini', model: m[1], stream: !!m[2] }
}
const json = (res, status, value) => {
  res.writeHead(status, { 'content-type': 'application/json' })
  res.end(JSON.stringify(value))
}
const MODELS = ['fake-model', 'gpt-5', 'claude-sonnet-4-5', 'gemini-2.5-pro']

async function handle(req, res) {
  const path = new URL(req.url, 'http://localhost').pathname
  let raw = ''
  for await (const c of req) raw += c
  if (path === '/__log') return json(res, 200, seen)
  if (path === '/__rules') {
    rules = JSON.parse(raw)
    return json(res, 200, { ok: true })
  }
  if (path === '/__release') {
    const n = gates.length
    for (const release of gates) release()
    gates = []
    return json(res, 200, { released: n })
  }
  if (req.method === 'GET' && /\/models$/.test(path))
    return json(res, 200, {
      object: 'list',
      has_more: false,
      data: MODELS.map((m) => ({
        id: m,
        type: 'model',
        object: 'model',
        display_name: m,
        created: 1700000000,
        owned_by: 'fake',
      })),
      models: MODELS.map((m) => ({ name: `models/${m}`, supportedGenerationMethods: ['generateContent'] })),
    })
  let body = {}
  try {
    body = raw ? JSON.parse(raw) : {}
  } catch {
    return json(res, 400, { error: { message: 'body is not JSON' } })
  }
  if (/count_tokens$|:countTokens$/.test(path))
    return json(res, 200, { input_tokens: Math.ceil(raw.length / 4), totalTokens: Math.ceil(raw.length / 4) })
  const r = req.method === 'POST' && route(path, body)
  if (!r) {
    log({ t: Date.now(), path, method: req.method, unhandled: true })
    return json(res, 404, { error: { message: `fake: no such route ${req.method} ${path}` } })
  }
  if (DUMP) fs.writeFileSync(`${DUMP}/${String(++seq).padStart(6, '0')}-${r.dialect}.json`, raw)
  const norm = normalise[r.dialect](body)
  let d
  try {
    d = decide(norm)
  } catch (e) {
    return json(res, 400, { error: { message: `fake: bad directive: ${e.message}` } })
  }
  const s = d.reply
  log({
    t: Date.now(),
    path,
    dialect: r.dialect,
    model: r.model,
    stream: r.stream,
    turns: norm.turns.length,
    tools: norm.tools.map((t) => t.name),
    user: d.user.slice(-120),
    result: norm.turns.at(-1)?.result?.slice(0, 300),
    conversation: norm.turns.filter((t) => t.role !== 'system').map((t) => `${t.role}: ${t.text.slice(0, 2000)}`),
    step: d.step,
    reply: s,
  })
  if (s.error)
    return json(res, s.error.status ?? 500, {
      type: 'error',
      error: { type: 'fake_error', message: s.error.message ?? 'scripted error', code: s.error.status ?? 500 },
    })
  const calls = (s.tools ?? (s.tool ? [s] : [])).map((c) => resolveTool(c, norm.tools))
  const reply = {
    model: r.model,
    think: s.think,
    text: s.text ?? '',
    calls,
    chunks: s.chunks ?? 4,
    body,
    u: usageOf(raw, (s.text ?? '') + JSON.stringify(calls)),
  }
  if (!r.stream) return json(res, 200, whole[r.dialect](reply))
  res.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-cache', connection: 'keep-alive' })
  let gone = false,
    gated = s.gate
  res.on('close', () => {
    gone = true
  })
  const cut = s.hang || s.drop
  for (const e of dialects[r.dialect](reply)) {
    if (gone) return
    if (e === 'TICK') {
      if (gated) {
        gated = false
        await new Promise((ok) => gates.push(ok))
      }
      if (s.delayMs) await sleep(s.delayMs)
    } else if (e === 'BLOCK' || e === 'END') {
      if (cut) {
        if (s.drop) res.destroy()
        return
      } // hang: keeps the socket open and sends nothing more.
    } else
      res.write(`${e[0] ? `event: ${e[0]}\n` : ''}data: ${typeof e[1] === 'string' ? e[1] : JSON.stringify(e[1])}\n\n`)
  }
  res.end()
}
function log(entry) {
  seen.push(entry)
  if (seen.length > 5000) seen.shift()
  if (LOG) fs.appendFileSync(LOG, `${JSON.stringify(entry)}\n`)
}
const server = http.createServer((req, res) =>
  handle(req, res).catch((e) => {
    if (!res.headersSent) json(res, 500, { error: { message: String(e) } })
    else res.destroy()
  }),
)
server.listen(Number(arg('port', 0)), '127.0.0.1', () => {
  const { port } = server.address()
  console.log(JSON.stringify({ url: `http://127.0.0.1:${port}`, port }))
})
for (const sig of ['SIGTERM', 'SIGINT']) process.on(sig, () => process.exit(0))
