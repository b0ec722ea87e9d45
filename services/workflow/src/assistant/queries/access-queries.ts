import { z } from 'zod';
import { entryLine, grantLine } from './lines.ts';
import { defineQuery, SHOWN } from './query.ts';

const UNUSED =
  /\b(?:unused|never (?:used|retrieved)|not (?:been )?(?:used|use|retrieved))\b|n't (?:been )?(?:used|use|retrieved)\b/;
const ACTIVE_GRANTS =
  /^(?:(?:what|which|list|show|are there)\b(?! (?:is|does)\b)).{0,30}\b(?:active|current|live) grants\b|^(?:what|which) grants (?:are|do (?:we|they) have)\b/;
const name = z.string().max(200);

export const myAccess = defineQuery({
  name: 'my-access',
  description: 'Access that you have now, and when it ends',
  example: 'Which access of mine is active, and when does it end?',
  permission: 'grants.read',
  parameters: z.strictObject({}),
  heading: 'Your access now',
  match: ({ text }) =>
    !UNUSED.test(text) &&
    !/^how\b/.test(text) &&
    /\bmy (?:\w+ ){0,2}(?:access|grants?)\b|\b(?:access|grants?) of mine\b|\b(?:access|grants?) (?:do|did) i have\b|\bwhat (?:can|may) i (?:access|use) (?:right )?now\b|\bhow long .*\b(?:access|grant)/.test(
      text,
    )
      ? {}
      : undefined,
  run: async (_, { reads, context }) => {
    const { items = [], totalItems = items.length } = await reads.listGrants(
      {
        userId: context.actor.userId,
        status: 'active',
        sortBy: 'expiresAt',
        sortOrder: 'asc',
        pageSize: SHOWN,
      },
      context,
    );
    return {
      lines: items.map((each) => grantLine(each, false)),
      total: totalItems,
      none: 'You have no active access.',
    };
  },
});

export const myUnusedAccess = defineQuery({
  name: 'my-unused-access',
  description: 'Active access of yours that you have not used',
  example: 'Which access of mine is unused?',
  permission: 'grants.read',
  parameters: z.strictObject({}),
  heading: 'Active access of yours that was not used',
  match: ({ text }) => (UNUSED.test(text) && /\b(?:access|grants?)\b/.test(text) ? {} : undefined),
  run: async (_, { reads, context }) => {
    const { items = [] } = await reads.listGrants(
      { userId: context.actor.userId, status: 'active', pageSize: 100 },
      context,
    );
    const unused = items.filter((grant) => !grant.credentialsDeliveredAt);
    return {
      lines: unused.slice(0, SHOWN).map((each) => grantLine(each, false)),
      total: unused.length,
      none: 'You have used all the access that you have now.',
    };
  },
});

export const whoHasAccess = defineQuery({
  name: 'who-has-access',
  description: 'Active grants on a resource or entry that you may see: without grants.read-all only your own',
  example: 'Who has access to "db-prod"?',
  permission: 'grants.read',
  parameters: z.strictObject({ search: name }),
  heading: 'Active grants that you may see',
  match: ({ text, names }) =>
    /\bwho (?:has|have|holds|got) (?:\w+ )?(?:access|grants?)\b|\bwho can (?:use|access)\b/.test(text) ||
    ACTIVE_GRANTS.test(text)
      ? { search: names[0] ?? '' }
      : undefined,
  run: async ({ search }, { reads, context }) => {
    const { items = [], totalItems = items.length } = await reads.listGrants(
      { search, status: 'active', pageSize: SHOWN },
      context,
    );
    return {
      lines: items.map((each) => grantLine(each, true)),
      total: totalItems,
      none: `There is no active grant ${search ? `on "${search}" ` : ''}that you may see.`,
    };
  },
});

export const entriesToAskFor = defineQuery({
  name: 'entries',
  description: 'Entries that you may see and ask for, with the state of their rotation',
  example: 'Which entries may I ask for?',
  permission: 'vault.entries.read',
  parameters: z.strictObject({ search: name.optional() }),
  heading: 'Entries that you may ask for',
  match: ({ text, names }) => {
    const asks =
      /\b(?:what|which (?:\w+ ){0,2}\w+) (?:can|may|could) i (?:ask|request)|\b(?:which|what|list|show|find|search)\b.{0,20}\b(?:entries|accounts|credentials)\b|\b(?:entry|account) (?:called|named)\b/;
    const rotates = /\b(?:when|was|is|last|next)\b.*\b(?:rotat|verif)/.test(text) && names.length > 0;
    if (!asks.test(text) && !rotates) return undefined;
    return names[0] ? { search: names[0] } : {};
  },
  run: async ({ search = '' }, { reads, context }) => {
    const { items = [], totalItems = items.length } = await reads.listEntries(
      { search, pageSize: SHOWN },
      context,
    );
    return {
      lines: items.map(entryLine),
      total: totalItems,
      none: search ? `No entry that you may see is called "${search}".` : 'You may see no entry.',
    };
  },
});

export const failingRotations = defineQuery({
  name: 'failing-rotations',
  description: 'Entries whose rotation is in doubt or out of sync with the target',
  example: 'Which rotations are failing?',
  permission: 'vault.entries.read',
  parameters: z.strictObject({}),
  heading: 'Entries whose rotation needs attention',
  match: ({ text }) =>
    /\brotat\w*\b.*\b(?:fail|problem|broken|stuck|wrong|trouble|ambiguous|out.of.s)|\b(?:fail|problem|broken|stuck|trouble|out.of.s)\w*\b.*\brotat/.test(
      text,
    ) && !/^(?:how|what happens)\b/.test(text)
      ? {}
      : undefined,
  run: async (_, { reads, context }) => {
    const found = await Promise.all(
      ['out_of_sync', 'ambiguous'].map((rotationState) =>
        reads.listEntries({ rotationState, pageSize: SHOWN }, context),
      ),
    );
    return {
      lines: found.flatMap(({ items = [] }) => items.map(entryLine)),
      total: found.reduce((sum, { totalItems = 0 }) => sum + totalItems, 0),
      none: 'No rotation of an entry that you may see is failing.',
    };
  },
});
