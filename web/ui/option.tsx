/** Returns one option of a select. */
export const option = (value: string, label: string | undefined) => (
  <option key={value} value={value}>
    {label}
  </option>
)
