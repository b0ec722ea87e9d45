import type * as settings from '@claviger/contracts/auth/v1/settings';
import { ClavigerError } from '@claviger/errors';
import type { Handler } from '@claviger/service-kit';
import { type SectionName, type SettingsService, sections } from '@claviger/settings';
import type { SettingsDeps } from './deps.ts';

/** Returns the sections that the calling service reads. Throws `denied` for any other section. */
export function readSettings({
  settingsSource: source,
}: Pick<SettingsDeps, 'settingsSource'>): Handler<typeof settings.SettingsService.readSettings> {
  return async (request, context) => {
    const names = request.sections.map((name) => {
      const known = Object.hasOwn(sections, name) ? sections[name as SectionName] : undefined;
      if (!known?.services.includes(context.caller as SettingsService)) {
        throw new ClavigerError(
          'denied',
          `${context.caller} may not read the settings of ${name.slice(0, 40)}.`,
        );
      }
      return known.name;
    });
    const { version, values } = await source({
      tenantId: context.hasTenant ? context.tenantId : '',
      sections: names,
      knownVersion: request.knownVersion,
    });
    return { version, unchanged: values === undefined, values };
  };
}
