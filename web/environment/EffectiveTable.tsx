import type { EffectiveEnvironment } from '../../src/model/settings/environment.ts'
import { texts } from '../texts/texts.ts'
import { type Amount, amountText } from './draft.ts'

/** The settings that apply, each with the scope that sets it. */
export function EffectiveTable({ effective }: { effective: EffectiveEnvironment }) {
  const labels = texts.environment
  return (
    <table className="effective">
      <caption>{labels.effective}</caption>
      <thead>
        <tr>
          <th>{labels.what}</th>
          <th>{labels.value}</th>
          <th>{labels.from}</th>
        </tr>
      </thead>
      <tbody>
        {rowsOf(effective).map(({ what, value, from }) => (
          <tr key={`${what} ${value} ${from}`}>
            <td>{what}</td>
            <td>{value}</td>
            <td className="faint">{labels.layers[from]}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

interface EffectiveRow {
  readonly what: string
  readonly value: string
  readonly from: EffectiveEnvironment['home']['from']
}

function rowsOf({ env, home, sandbox, hosts, ports, browser, limits, budgets }: EffectiveEnvironment): EffectiveRow[] {
  const labels = texts.environment
  const amount = (name: string, value: number) => amountText(name as Amount, value)
  return [
    ...Object.entries(env).map(([what, { value, from }]) => ({ what, value, from })),
    { what: labels.home, value: labels.homes[home.value], from: home.from },
    { what: labels.sandbox, value: labels.sandboxes[sandbox.value], from: sandbox.from },
    ...hosts.map(({ value, from }) => ({ what: labels.host, value, from })),
    ...(ports.value.length > 0 ? [{ what: labels.ports, value: ports.value.join(', '), from: ports.from }] : []),
    { what: labels.browser, value: labels.browsers[browser.value], from: browser.from },
    ...Object.entries(limits).map(([name, { value, from }]) => ({
      what: labels.limit(labels.amounts[name as Amount]),
      value: amount(name, value),
      from,
    })),
    ...budgets.flatMap(({ of, from, budget }) =>
      Object.entries(budget).map(([name, value]) => ({
        what: labels.budget[of](labels.amounts[name as Amount]),
        value: amount(name, value ?? 0),
        from,
      })),
    ),
  ]
}
