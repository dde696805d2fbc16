/** A URL that is read by {@link HttpSource}, or null; relative ones count from the page, where there is one. */
export function parseHttpUrl(url: URL | string): URL | null {
  const { document, location } = globalThis as Partial<typeof globalThis>;
  try {
    const parsed = new URL(url, document?.baseURI ?? location?.href);
    return /^https?:$/.test(parsed.protocol) ? parsed : null;
  } catch {
    return null;
  }
}

/** A URL as messages have it: user and query, which may be secrets, are left out. */
export function httpName({ origin, pathname }: URL): string {
  return origin + pathname;
}

/** User and password of a URL as a header, since `fetch` takes none in a URL; undefined where it has none. */
export function basicAuthorization({ username, password }: URL): string | undefined {
  if (username === '' && password === '') return undefined;
  const bytes = new TextEncoder().encode(`${decoded(username)}:${decoded(password)}`);
  return `Basic ${btoa(String.fromCharCode(...bytes))}`;
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
