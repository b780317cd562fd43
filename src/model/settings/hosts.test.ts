import { expect, it } from 'vitest'
import { letsThrough } from './hosts.ts'

it.each([
  [['example.com'], 'example.com', 443, true],
  [['example.com'], 'EXAMPLE.com.', 80, true],
  [['Example.com'], 'example.com', 80, true],
  [['example.com'], 'www.example.com', 443, false],
  [['example.com'], 'example.com.evil.org', 443, false],
  [['example.com'], 'notexample.com', 443, false],
  [['*.example.com'], 'www.example.com', 443, true],
  [['*.example.com'], 'a.b.example.com', 443, true],
  [['*.example.com'], 'example.com', 443, false],
  [['*.example.com'], '.example.com', 443, false],
  [['*.example.com'], 'evilexample.com', 443, false],
  [['example.com:8443'], 'example.com', 8443, true],
  [['example.com:8443'], 'example.com', 443, false],
  [['*.example.com:80'], 'www.example.com', 80, true],
  [['10.0.0.7:80'], '10.0.0.7', 80, true],
  [['10.0.0.7'], '10.0.0.70', 80, false],
  [[], 'example.com', 443, false],
  [['other.org', 'example.com'], 'example.com', 443, true],
  [['example.com'], '', 443, false],
] as const)('%j lets %s:%i through: %s', (hosts, host, port, expected) => {
  expect(letsThrough(hosts, host, port)).toBe(expected)
})
