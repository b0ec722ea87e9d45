/** The sections of a report. */
export const SECTIONS = [
  'events',
  'access',
  'rotations',
  'approvals',
  'break-glass',
  'keys',
  'controls',
] as const;
export type Section = (typeof SECTIONS)[number];

/** One row of a table: members in any order, without undefined ones. */
export type Row = Readonly<Record<string, unknown>>;

export interface Table {
  readonly name: TableName;
  readonly section: Section;
  readonly title: string;
  /** The columns of the CSV, in order; the members of each JSON row. */
  readonly columns: readonly string[];
}

const EVENT_COLUMNS = [
  'sequence',
  'id',
  'occurredAt',
  'action',
  'outcome',
  'actorId',
  'actorName',
  'actorKind',
  'subjectType',
  'subjectId',
  'resourceId',
  'service',
  'sourceAddress',
  'requestId',
  'reason',
  'details',
];

const DECLARED = {
  events: { section: 'events', title: 'Audit events', columns: EVENT_COLUMNS },
  'access-users': {
    section: 'access',
    title: 'Users and their roles',
    columns: [
      'userId',
      'username',
      'kind',
      'status',
      'roles',
      'permissions',
      'secondFactor',
      'createdAt',
      'lastLoginAt',
    ],
  },
  'access-shares': {
    section: 'access',
    title: 'Shares of entries',
    columns: [
      'entryId',
      'entryName',
      'resourceName',
      'userId',
      'username',
      'access',
      'grantedBy',
      'createdAt',
    ],
  },
  'access-entitlements': {
    section: 'access',
    title: 'Entitlements under grants',
    columns: [
      'grantId',
      'entryId',
      'entryName',
      'resourceName',
      'userId',
      'username',
      'oneTime',
      'placedAt',
      'expiresAt',
    ],
  },
  'access-policies': {
    section: 'access',
    title: 'Access policies',
    columns: [
      'resourceId',
      'steps',
      'approvalsNeeded',
      'approverUserIds',
      'approverRoles',
      'maxDurationMinutes',
      'oneTime',
      'rotateOnEnd',
      'updatedBy',
      'updatedAt',
    ],
  },
  rotations: {
    section: 'rotations',
    title: 'Rotations',
    columns: [
      'id',
      'entryId',
      'entryName',
      'resourceName',
      'state',
      'trigger',
      'requestedBy',
      'requestedAt',
      'finishedAt',
      'attempts',
    ],
  },
  approvals: {
    section: 'approvals',
    title: 'Requests and decisions',
    columns: [
      'requestId',
      'kind',
      'status',
      'requesterId',
      'requesterName',
      'entryName',
      'resourceName',
      'reason',
      'durationMinutes',
      'decisions',
      'createdAt',
      'decidedAt',
    ],
  },
  'break-glass': { section: 'break-glass', title: 'Break-glass events', columns: EVENT_COLUMNS },
  keys: {
    section: 'keys',
    title: 'Key-encryption keys',
    columns: ['id', 'version', 'state', 'providerId', 'createdAt', 'ageDays', 'versionsWrapped'],
  },
  controls: {
    section: 'controls',
    title: 'Controls',
    columns: ['id', 'title', 'status', 'examined', 'violations', 'detail', 'computedFrom'],
  },
} as const satisfies Record<string, { section: Section; title: string; columns: readonly string[] }>;

export type TableName = keyof typeof DECLARED;

export const TABLES: readonly Table[] = Object.entries(DECLARED).map(([name, table]) => ({
  name: name as TableName,
  ...table,
}));

export function tableNamed(name: TableName): Table {
  return { name, ...DECLARED[name] };
}

/** Actions of break-glass events have this prefix. */
export const BREAK_GLASS_PREFIX = 'breakglass.';

/**
 * Returns the values of a row in the order of the columns. For events these are members of the hashed text.
 */
export function valuesOf(table: Table, row: Row): unknown[] {
  const holdsEvents = table.name === 'events' || table.name === 'break-glass';
  const members = holdsEvents ? { ...(row.event as Row), sequence: row.sequence } : row;
  return table.columns.map((column) => (members as Row)[column]);
}

/** Returns the names of a table's two members. */
export function tableFiles(name: TableName): { json: string; csv: string } {
  return { json: `tables/${name}.json`, csv: `tables/${name}.csv` };
}
