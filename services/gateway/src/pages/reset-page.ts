import { oneTimeForm } from './one-time-form.ts';

/** The page of a password-reset link: a form for the new password. */
export const resetPage = oneTimeForm({
  path: '/reset',
  action: '/api/v1/auth/password/reset',
  heading: 'New password',
  button: 'Set',
  needsLink: 'Open this page with the one-time link from your administrator.',
  passwordName: 'newPassword',
  fields: '',
});
