import { existsSync } from 'node:fs';

const schemas = ['/etc/ldap/schema', '/etc/openldap/schema', '/opt/homebrew/etc/openldap/schema'];
/** Who may change the server's own settings while it runs; its password is the administrator's. */
export const CONFIG_ADMIN = 'cn=config';

const modules = ['/usr/lib/ldap', '/usr/lib64/openldap', '/usr/lib/openldap'];

/**
 * The settings of a directory with one database under a password policy that keeps short and former passwords
 * out.
 */
export function slapdConfig(settings: {
  readonly folder: string;
  readonly suffix: string;
  readonly admin: { readonly username: string; readonly password: string };
  readonly certificate: string;
  readonly key: string;
}): string {
  const schema = schemas.find((path) => existsSync(`${path}/core.schema`));
  if (schema === undefined) throw new Error('The schemas of OpenLDAP were not found (core.schema).');
  const modulePath = modules.find((path) => existsSync(path));
  const loaded =
    modulePath === undefined ? [] : [`modulepath ${modulePath}`, 'moduleload back_mdb', 'moduleload ppolicy'];
  return `${[
    ...['core', 'cosine', 'inetorgperson'].map((name) => `include ${schema}/${name}.schema`),
    ...loaded,
    `TLSCertificateFile ${settings.certificate}`,
    `TLSCertificateKeyFile ${settings.key}`,
    `TLSCACertificateFile ${settings.certificate}`,
    'TLSVerifyClient never',
    'database config',
    `rootdn "${CONFIG_ADMIN}"`,
    `rootpw ${settings.admin.password}`,
    'database mdb',
    `suffix "${settings.suffix}"`,
    `rootdn "${settings.admin.username}"`,
    `rootpw ${settings.admin.password}`,
    `directory ${settings.folder}/data`,
    'maxsize 33554432',
    'dbnosync',
    'sizelimit unlimited',
    'overlay ppolicy',
    `ppolicy_default "cn=policy,${settings.suffix}"`,
    'access to attrs=userPassword by self write by anonymous auth by * none',
    'access to * by users read by * none',
  ].join('\n')}\n`;
}
