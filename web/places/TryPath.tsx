import { useDeferredValue, useState } from 'react'
import type { PathClass } from '../../src/model/files/conflicts.ts'
import { useAnswer } from '../data/queries.ts'
import { texts } from '../texts/texts.ts'
import { Problem } from '../ui/Problem.tsx'

/** A field that asks the server which rule applies to a path. */
export function TryPath({ space }: { space: string }) {
  const [path, setPath] = useState('')
  const wanted = useDeferredValue(path.trim())
  const key = ['file-rules', space, 'check', wanted] as const
  const options = { enabled: wanted !== '', retry: false }
  const { data, error } = useAnswer(key, 'fileRules.check', { id: space, path: wanted }, options)
  const labels = texts.places.rules
  return (
    <div className="stack-s">
      <label className="form-field">
        <span>
          {labels.test} <span className="faint">{labels.testNote}</span>
        </span>
        <input
          className="field mono"
          placeholder={labels.testHint}
          value={path}
          spellCheck={false}
          onChange={(event) => setPath(event.target.value)}
        />
      </label>
      {wanted && error && <Problem error={error} />}
      {wanted && data && (
        <p role="status">
          {labels.verdict(
            labels.classes[data.class as PathClass] ?? data.class,
            labels.actions[data.action],
            data.glob,
          )}{' '}
          <span className="dim">{data.covered ? labels.isCovered : labels.notCovered}</span>
        </p>
      )}
    </div>
  )
}
