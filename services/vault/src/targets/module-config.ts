import {
  configSchemaOf,
  connectorTypes,
  OutboundError,
  type PlatformRules,
  type PortRange,
  targetPolicy,
} from '@claviger/connectors';
import { ClavigerError, type FieldProblem } from '@claviger/errors';
import { z } from 'zod';

const portEntry = z.union([
  z.int().min(1).max(65_535),
  z
    .strictObject({ from: z.int().min(1).max(65_535), to: z.int().min(1).max(65_535) })
    .refine(({ from, to }) => from <= to, 'must have from at most to'),
]);

/** What a module may reach. There is no default: a module without lists reaches nothing. */
const reachSchema = z.object({
  allowedCidrs: z.array(z.string().max(60)).max(200).default([]),
  allowedPorts: z.array(portEntry).max(200).default([]),
});

/** A module's configuration, parsed. */
export interface ModuleConfig {
  readonly allowedCidrs: readonly string[];
  readonly allowedPorts: readonly (number | PortRange)[];
  /** Settings for all resources of the module that do not have their own. */
  readonly defaults: Readonly<Record<string, unknown>>;
}

/** Checks `/type` and `/config` of a request. Throws `invalid` with each field. */
export function parseModuleConfig(type: string, config: Record<string, unknown> | undefined): ModuleConfig {
  if (!connectorTypes.some((known) => known === type)) {
    throw ClavigerError.invalid('/type', `must be one of ${connectorTypes.join(', ')}`);
  }
  const { allowedCidrs, allowedPorts, ...defaults } = config ?? {};
  const reach = reachSchema.safeParse({ allowedCidrs, allowedPorts });
  const problems: FieldProblem[] = reach.success ? [] : reach.error.issues.map(problemIn('/config'));
  if (reach.success) {
    for (const [index, cidr] of reach.data.allowedCidrs.entries()) {
      const detail = cidrProblem(cidr);
      if (detail) problems.push({ pointer: `/config/allowedCidrs/${index}`, detail });
    }
  }
  if (Object.hasOwn(defaults, 'host')) {
    problems.push({ pointer: '/config/host', detail: 'belongs to a resource, not to its module' });
  }
  // Missing settings may come from the resources, so only problems of given settings count.
  const parsed = configSchemaOf(type).safeParse({ ...defaults, host: 'host.invalid' });
  if (!parsed.success) {
    const wrong = parsed.error.issues.filter(
      (issue) => issue.path.length === 0 || Object.hasOwn(defaults, String(issue.path[0])),
    );
    problems.push(...wrong.map(problemIn('/config')));
  }
  if (problems.length > 0)
    throw new ClavigerError('invalid', 'The request is not valid.', { fields: problems });
  return { ...reach.data!, defaults };
}

/** What a connector may reach for a module, within the platform's rules. */
export function policyOf({ allowedCidrs, allowedPorts }: ModuleConfig, platform: PlatformRules) {
  return targetPolicy({ cidrs: allowedCidrs, ports: allowedPorts }, platform);
}

function cidrProblem(cidr: string): string | undefined {
  try {
    targetPolicy({ cidrs: [cidr], ports: [] }, { ownServers: [], openTargets: [] });
    return undefined;
  } catch (error) {
    if (error instanceof OutboundError) return 'is not a CIDR such as 10.0.0.0/8';
    throw error;
  }
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** Converts a schema's problem to one of a request's field. The messages contain keys, never values. */
export const problemIn =
  (pointer: string) =>
  ({ path, message }: Issue): FieldProblem => ({
    pointer: [pointer, ...path.map(String)].join('/'),
    detail: message,
  });
