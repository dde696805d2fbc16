/** Bytes of an ICC profile's header, which has a date and who made it; what follows makes the colours. */
const HEADER_BYTES = 128;

/** Bytes of an entry of the tag table. */
const TAG_BYTES = 12;

/** Longest description that is shown. */
const MAX_NAME_LENGTH = 80;

/** The description in an ICC profile, such as `Display P3`; undefined where it has none that can be read. */
export function profileName(profile: Uint8Array): string | undefined {
  const view = new DataView(profile.buffer, profile.byteOffset, profile.byteLength);
  if (view.byteLength < HEADER_BYTES + 4) return undefined;
  const room = Math.floor((view.byteLength - HEADER_BYTES - 4) / TAG_BYTES);
  const tags = Math.min(view.getUint32(HEADER_BYTES), room);
  for (let tag = 0; tag < tags; tag++) {
    const at = HEADER_BYTES + 4 + tag * TAG_BYTES;
    if (text(view, at, 4, 1) === 'desc') return description(view, view.getUint32(at + 4));
  }
  return undefined;
}

/** Of version 2 ASCII, of version 4 the first of the languages, in UTF-16. */
function description(view: DataView, at: number): string | undefined {
  if (at + 28 > view.byteLength) return undefined;
  const kind = text(view, at, 4, 1);
  const name =
    kind === 'desc'
      ? text(view, at + 12, view.getUint32(at + 8), 1)
      : kind === 'mluc'
        ? text(view, at + view.getUint32(at + 24), view.getUint32(at + 20), 2)
        : '';
  return name.replace(/[^ -\u{10ffff}]/gu, '').trim() || undefined;
}

function text(view: DataView, from: number, byteLength: number, unit: 1 | 2): string {
  const end = Math.min(view.byteLength, from + byteLength, from + MAX_NAME_LENGTH * unit);
  let result = '';
  for (let at = from; at + unit <= end; at += unit) {
    result += String.fromCharCode(unit === 1 ? view.getUint8(at) : view.getUint16(at));
  }
  return result;
}

/** Whether a profile says of itself that it is of sRGB, as the many profiles of it do. */
export function isSrgbProfile(profile: Uint8Array): boolean {
  return /\bsRGB\b/i.test(profileName(profile) ?? '');
}

/** Whether two profiles make the same colours: equal but for the header's date and maker, or both of sRGB. */
export function isSameProfile(a: Uint8Array, b: Uint8Array): boolean {
  if (isSrgbProfile(a) && isSrgbProfile(b)) return true;
  if (a.length !== b.length) return false;
  return a.subarray(HEADER_BYTES).every((byte, i) => byte === b[HEADER_BYTES + i]);
}

/** A profile as people know it. */
export function profileText(profile: Uint8Array): string {
  const name = profileName(profile);
  return `an ICC profile${name === undefined ? '' : ` '${name}'`} of ${profile.length} bytes`;
}
