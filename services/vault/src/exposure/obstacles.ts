/** Codes of the view `exposure_ledger`, the same as those that asking for one rotation answers. */
const REASONS: Readonly<Record<string, string>> = {
  not_rotatable: 'It is not an account on a target: make a new one where it is used, and store that.',
  unproven: 'It is unproven: verify it, or have an owner of its resource accept it.',
  account_shared: 'Another entry is for the same account: delete one of them.',
  no_module: 'Its resource has no module.',
  module_disabled: 'The module of its resource is disabled.',
  resource_disabled: 'Its resource is disabled.',
  no_admin_entry: 'Its resource rotates by an administrator but has no admin entry.',
  out_of_sync: 'Its target holds none of the secrets known: recover the candidates and store the right one.',
};

export function reasonOf(obstacle: string): string {
  return REASONS[obstacle] ?? 'It cannot be rotated now.';
}
