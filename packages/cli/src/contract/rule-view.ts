/** Conditions of a rule that commands print. */
export interface RuleConditions {
  readonly matchSigner?: string;
  readonly matchHash?: string;
  readonly matchPathGlob?: string;
  readonly matchParentImage?: string;
  readonly matchUser?: string;
  readonly matchAdGroup?: string;
  readonly matchToolName?: string;
  readonly matchRiskTier?: number | string;
  readonly siteId?: string;
  readonly timeWindow?: { readonly start: string; readonly end: string; readonly timezone?: string };
}

/** The conditions of a rule or software entry, on one line. */
export function whenText(row: RuleConditions): string {
  const { timeWindow: window } = row;
  const conditions: readonly (readonly [string, string | number | undefined])[] = [
    ['signer', row.matchSigner],
    ['hash', row.matchHash?.slice(0, 12)],
    ['path', row.matchPathGlob],
    ['parent', row.matchParentImage],
    ['user', row.matchUser],
    ['group', row.matchAdGroup],
    ['tool', row.matchToolName],
    ['tier', row.matchRiskTier],
    ['site', row.siteId],
    ['from', window && `${window.start} to ${window.end} ${window.timezone || 'UTC'}`],
  ];
  return conditions.flatMap(([name, value]) => (value === undefined ? [] : [`${name} ${value}`])).join(', ');
}

/** Names of people, or their ids. */
export const people = (list: readonly { readonly id: string; readonly name: string }[]) =>
  list.map(({ id, name }) => name || id).join(', ');
