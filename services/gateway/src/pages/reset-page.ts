import { oneTimeForm } from './one-time-form.ts';

/** Where the one-time link of a password reset leads: a form for the new password. */
export const resetPage = oneTimeForm({
  path: '/reset',
  action: '/api/v1/auth/password/reset',
  heading: 'New password',
  button: 'Set',
  needsLink: 'This page needs the one-time link that an administrator gave you.',
  passwordName: 'newPassword',
  fields: '',
});
