import { createHash } from 'node:crypto';
import type { OwnRoute } from '../routes/router.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 10vh auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0 0.25rem; }
input { box-sizing: border-box; width: 100%; padding: 0.5rem; font: inherit; }
button { margin-top: 1.5rem; padding: 0.5rem 1rem; font: inherit; }
[role=status] { margin-top: 1rem; white-space: pre-line; }
`;

/** The one-time token stands behind the # of the link, which a browser sends to no server. */
const SCRIPT = `
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname);
const form = document.querySelector('form');
const message = document.querySelector('[role=status]');
if (token === '') message.textContent = 'This page needs the one-time link that "claviger up" printed.';
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { username, displayName, password, again } = Object.fromEntries(new FormData(form));
  if (password !== again) { message.textContent = 'The two passwords differ.'; return; }
  message.textContent = 'One moment …';
  try {
    const response = await fetch('/api/v1/auth/setup', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, username, displayName, password }),
    });
    if (response.ok) { form.remove(); message.textContent = 'Done. You can sign in now, e.g. with: claviger login'; return; }
    const problem = await response.json();
    const fields = (problem.errors ?? []).map((each) => each.pointer.slice(1) + ' ' + each.detail);
    message.textContent = [problem.detail, problem.hint, ...fields].filter(Boolean).join('\\n');
  } catch { message.textContent = 'The server cannot be reached. Try again.'; }
});
`;

const PAGE = `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Claviger: first administrator</title>
<style>${STYLE}</style>
</head>
<body>
<h1>First administrator</h1>
<form>
<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" maxlength="256" required>
<label for="displayName">Full name</label>
<input id="displayName" name="displayName" autocomplete="name" maxlength="200">
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" maxlength="256" required>
<label for="again">Password again</label>
<input id="again" name="again" type="password" autocomplete="new-password" maxlength="256" required>
<button>Create</button>
</form>
<p role="status"></p>
<script>${SCRIPT}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** Only this script and this style may run, and only this server may be asked. */
const POLICY = [
  "default-src 'none'",
  `script-src ${hashOf(SCRIPT)}`,
  `style-src ${hashOf(STYLE)}`,
  "connect-src 'self'",
  "form-action 'none'",
  "base-uri 'none'",
  "frame-ancestors 'none'",
].join('; ');

/** Where the one-time set-up link leads: a form for the first administrator. */
export const setupPage: OwnRoute = {
  path: '/setup',
  serve: async (_request, response) => {
    response.setHeader('Content-Security-Policy', POLICY);
    response.writeHead(200, {
      'Content-Type': 'text/html; charset=utf-8',
      'Content-Length': Buffer.byteLength(PAGE),
    });
    response.end(PAGE);
  },
};
