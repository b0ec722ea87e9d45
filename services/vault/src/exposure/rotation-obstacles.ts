/** Codes of the view `exposure_ledger`. A request for one rotation answers the same codes. */
const REASONS: Readonly<Record<string, string>> = {
  not_rotatable:
    'It is not an account on a target: replace the secret where it is used, and store the new one.',
  unproven: 'The account is unproven: verify it, or ask an owner of its resource to accept it.',
  account_shared: 'Another entry names the same account: delete one of them.',
  no_module: 'Its resource has no module: give it one.',
  module_disabled: 'The module of its resource is disabled: enable it.',
  resource_disabled: 'Its resource is disabled: set its status to active.',
  no_admin_entry: 'Its resource rotates with an admin entry and has none: give it one.',
  out_of_sync: 'The target accepts none of the stored secrets: find the right one and store it.',
};

export function obstacleReason(obstacle: string): string {
  return REASONS[obstacle] ?? 'It cannot be rotated now; its rotations have the reason.';
}
