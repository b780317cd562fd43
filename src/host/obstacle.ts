/** Null where the machine supports something; else the reason and the next step, in sentences. */
export type Obstacle = { readonly why: string; readonly next: string } | null
