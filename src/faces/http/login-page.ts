const MESSAGES = {
  ask: 'Log in to continue.',
  wrong: 'The login failed: the token is wrong or belongs to another installation.',
  throttled: 'Too many wrong tokens. Wait a minute, then try again.',
} as const

/**
 * Returns a self-contained login page, which also works when the real page was never built.
 * @param next path of this server to open after the login
 */
export function loginPage(kind: keyof typeof MESSAGES, next: string): string {
  return plainPage(
    'Log in to Carrel',
    `<p>${MESSAGES[kind]}</p>
<p>Run <code>carrel open</code> in a terminal on Carrel's machine. The command prints a login link.</p>
<form method="post" action="/login">
<p><label for="token">Or paste the token:</label>
<input id="token" name="token" type="password" autocomplete="off" required>
<input name="next" type="hidden" value="${escaped(next)}">
<button>Log in</button></p>
</form>`,
  )
}

/** Returns a plain page. All arguments are trusted HTML. @param head additional elements of the head */
export function plainPage(title: string, body: string, head = ''): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${title}</title>
${head}
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 34rem; margin: 15vh auto; padding: 0 1.5rem }
h1 { font-size: 1.5rem; line-height: 1.3; font-weight: 600 }
h2 { font-size: 1rem; font-weight: 600; margin-top: 2rem }
ul { padding-left: 1.25rem }
input, button { font: inherit; padding: 0.3rem 0.6rem }
label { display: block }
</style>
</head>
<body>
<main>
<h1>${title}</h1>
${body}
</main>
</body>
</html>
`
}

const SIGNS: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }

export const escaped = (text: string): string => text.replace(/[&<>"']/g, (sign) => SIGNS[sign] ?? sign)
