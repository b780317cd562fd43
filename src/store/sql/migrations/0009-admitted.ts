/** Finds where a run began without reading through all that it did. */
export const admitted = (): string[] => [
  "create index events_admitted on events (session, seq) where type = 'run.admitted'",
]
