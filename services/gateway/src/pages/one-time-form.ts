import { createHash } from 'node:crypto';
import type { OwnRoute } from '../routes/router.ts';

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 28rem; margin: 10vh auto; padding: 0 1rem; }
label { display: block; margin: 1rem 0 0.25rem; }
input { box-sizing: border-box; width: 100%; padding: 0.5rem; font: inherit; }
button { margin-top: 1.5rem; padding: 0.5rem 1rem; font: inherit; }
[role=status] { margin-top: 1rem; white-space: pre-line; }
`;

export interface OneTimeForm {
  /** Path of the link. */
  readonly path: string;
  /** The operation that receives the form. */
  readonly action: string;
  readonly heading: string;
  readonly button: string;
  /** Shown when the link has no token. */
  readonly needsLink: string;
  /** HTML of the fields before the password fields. */
  readonly fields: string;
  /** Field of the password in the request. */
  readonly passwordName: string;
}

/** The one-time token is in the fragment of the link, which browsers do not send to servers. */
const scriptOf = (form: OneTimeForm): string => `
const token = new URLSearchParams(location.hash.slice(1)).get('token') ?? '';
history.replaceState(null, '', location.pathname);
const form = document.querySelector('form');
const message = document.querySelector('[role=status]');
if (token === '') message.textContent = ${JSON.stringify(form.needsLink)};
form.addEventListener('submit', async (event) => {
  event.preventDefault();
  const { password, again, ...fields } = Object.fromEntries(new FormData(form));
  if (password !== again) { message.textContent = 'The two passwords differ.'; return; }
  message.textContent = 'Please wait …';
  try {
    const response = await fetch(${JSON.stringify(form.action)}, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ token, ...fields, ${form.passwordName}: password }),
    });
    if (response.ok) { form.remove(); message.textContent = 'Done. You can sign in now, e.g. with: claviger login'; return; }
    const problem = await response.json();
    const details = (problem.errors ?? []).map((each) => each.pointer.slice(1) + ' ' + each.detail);
    message.textContent = [problem.detail, problem.hint, ...details].filter(Boolean).join('\\n');
  } catch { message.textContent = 'The server cannot be reached. Try again.'; }
});
`;

const pageOf = (form: OneTimeForm, script: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Claviger: ${form.heading.toLowerCase()}</title>
<style>${STYLE}</style>
</head>
<body>
<h1>${form.heading}</h1>
<form>
${form.fields}<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="new-password" maxlength="256" required>
<label for="again">Password again</label>
<input id="again" name="again" type="password" autocomplete="new-password" maxlength="256" required>
<button>${form.button}</button>
</form>
<p role="status"></p>
<script>${script}</script>
</body>
</html>
`;

const hashOf = (text: string): string => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

/** The page of a one-time link: only its own script and style run, and it connects only to this server. */
export function oneTimeForm(form: OneTimeForm): OwnRoute {
  const script = scriptOf(form);
  const page = pageOf(form, script);
  const policy = [
    "default-src 'none'",
    `script-src ${hashOf(script)}`,
    `style-src ${hashOf(STYLE)}`,
    "connect-src 'self'",
    "form-action 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
  return {
    path: form.path,
    serve: async (_request, response) => {
      response.setHeader('Content-Security-Policy', policy);
      response.writeHead(200, {
        'Content-Type': 'text/html; charset=utf-8',
        'Content-Length': Buffer.byteLength(page),
      });
      response.end(page);
    },
  };
}
