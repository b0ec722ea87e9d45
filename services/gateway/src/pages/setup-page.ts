import { oneTimeForm } from './one-time-form.ts';

/** The page of the set-up link: a form for the first administrator. */
export const setupPage = oneTimeForm({
  path: '/setup',
  action: '/api/v1/auth/setup',
  heading: 'First administrator',
  button: 'Create',
  needsLink: 'Open this page with the one-time link that "claviger up" printed.',
  passwordName: 'password',
  fields: `<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" maxlength="256" required>
<label for="displayName">Full name</label>
<input id="displayName" name="displayName" autocomplete="name" maxlength="200">
`,
});
