import type { ServerResponse } from 'node:http'
import { escaped, plainPage } from '../http/login-page.ts'

/** Page shown in place of a preview. Works without scripts. */
export interface Notice {
  readonly status: number
  readonly title: string
  readonly text: readonly string[]
  readonly link?: { readonly to: string; readonly text: string } | undefined
  readonly list?: { readonly title: string; readonly lines: readonly string[] } | undefined
  /** Reload of the page, or of another address, after `seconds`. */
  readonly again?: { readonly seconds: number; readonly to?: string } | undefined
}

export function noticePage({ title, text, link, list, again }: Notice): string {
  const parts = [
    ...text.map((paragraph) => `<p>${escaped(paragraph)}</p>`),
    link ? `<p><a href="${escaped(link.to)}">${escaped(link.text)}</a></p>` : '',
    list && list.lines.length > 0
      ? `<h2>${escaped(list.title)}</h2>\n<ul>\n${list.lines.map((line) => `<li>${escaped(line)}</li>`).join('\n')}\n</ul>`
      : '',
  ]
  const to = again?.to === undefined ? '' : `;url=${again.to}`
  const head = again ? `<meta http-equiv="refresh" content="${escaped(`${again.seconds}${to}`)}">` : ''
  return plainPage(escaped(title), parts.filter((part) => part !== '').join('\n'), head)
}

/** Sends a notice as HTML to clients that accept HTML, else as plain text. */
export function sendNotice(response: ServerResponse, notice: Notice, accept: string | undefined): void {
  const asPage = accept?.includes('text/html') === true
  const text = asPage ? noticePage(notice) : `${[notice.title, ...notice.text].join('\n')}\n`
  response.writeHead(notice.status, {
    'content-type': asPage ? 'text/html; charset=utf-8' : 'text/plain; charset=utf-8',
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
    'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
  })
  response.end(text)
}
