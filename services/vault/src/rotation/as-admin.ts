import type { Target } from '../targets/load-target.ts';

/** Whether the administrator of the resource changes passwords here. */
export function rotatesAsAdmin({ settings }: Pick<Target, 'settings'>): boolean {
  return settings.rotateAs === 'admin';
}

/**
 * The target with its administrator as the one who changes the password, whatever its settings say. Undefined
 * where no admin entry can be used, and for `http` targets of another setting, whose request is that of the
 * account itself.
 */
export function asAdmin(target: Target): Target | undefined {
  if (!target.admin || target.admin.unproven) return undefined;
  if (rotatesAsAdmin(target)) return target;
  if (target.type === 'http') return undefined;
  return { ...target, settings: { ...target.settings, rotateAs: 'admin' } };
}
