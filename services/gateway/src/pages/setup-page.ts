import { oneTimeForm } from './one-time-form.ts';

/** Where the one-time set-up link leads: a form for the first administrator. */
export const setupPage = oneTimeForm({
  path: '/setup',
  action: '/api/v1/auth/setup',
  heading: 'First administrator',
  button: 'Create',
  needsLink: 'This page needs the one-time link that "claviger up" printed.',
  passwordName: 'password',
  fields: `<label for="username">User name</label>
<input id="username" name="username" autocomplete="username" maxlength="256" required>
<label for="displayName">Full name</label>
<input id="displayName" name="displayName" autocomplete="name" maxlength="200">
`,
});
