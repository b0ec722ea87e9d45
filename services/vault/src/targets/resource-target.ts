import { canonicalHost, configSchemaOf } from '@claviger/connectors';
import { ClavigerError, type FieldProblem } from '@claviger/errors';
import { type ModuleConfig, problemIn } from './module-config.ts';

export interface ResourceAddress {
  readonly host: string;
  readonly port: number;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** The connector's settings: the module's defaults, overridden by the resource's settings and address. */
export function connectorTarget(
  { defaults }: ModuleConfig,
  { host, port, settings }: ResourceAddress,
): Record<string, unknown> {
  return { ...defaults, ...settings, host, ...(port > 0 ? { port } : {}) };
}

/** Checks `/host`, `/port` and `/settings` against the connector. Throws `invalid` with each field. */
export function checkResource(
  module: { readonly type: string; readonly config: ModuleConfig } | undefined,
  resource: ResourceAddress,
): void {
  const problems: FieldProblem[] = [];
  if (resource.host !== '' && canonicalHost(resource.host) === undefined) {
    problems.push({ pointer: '/host', detail: 'must be a plain host name or an IP address' });
  }
  for (const key of ['host', 'port']) {
    if (Object.hasOwn(resource.settings, key)) {
      problems.push({ pointer: `/settings/${key}`, detail: `belongs to /${key}` });
    }
  }
  if (module && problems.length === 0) {
    if (resource.host === '') problems.push({ pointer: '/host', detail: 'is required with a module' });
    else {
      const parsed = configSchemaOf(module.type).safeParse(connectorTarget(module.config, resource));
      if (!parsed.success) {
        problems.push(
          ...parsed.error.issues.map((issue) =>
            issue.path[0] === 'host' || issue.path[0] === 'port'
              ? problemIn('')(issue)
              : problemIn('/settings')(issue),
          ),
        );
      }
    }
  }
  if (problems.length > 0)
    throw new ClavigerError('invalid', 'The request is not valid.', { fields: problems });
}
