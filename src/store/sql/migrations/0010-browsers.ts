/** Whether runs have a browser was yes or no before it was `own` or `none`; yes was never taken. */
export const browsers = (): string[] => [
  `update surroundings set settings = replace(settings, '"browser":false', '"browser":"none"')`,
]
