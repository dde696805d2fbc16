/** An element with properties and children; attributes that are no properties by `setAttribute`. */
export function createElement<K extends keyof HTMLElementTagNameMap>(
  name: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  element.append(...children);
  return element;
}

/** A button that says in words what it does, with a sign on it. */
export function createButton(label: string, sign: string, onClick: () => void): HTMLButtonElement {
  const button = createElement('button', { type: 'button', 'aria-label': label, title: label }, sign);
  button.addEventListener('click', onClick);
  return button;
}
