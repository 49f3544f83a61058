// Quasar sets the accessible name of sliders and selects on another element than the one that gets the focus, so that
// screen readers would not read it. Here the name and the value are copied to the focused element.

const OWNERS = [
  { focused: ".q-slider__track-container", named: ".q-slider" },
  { focused: ".q-select__focus-target", named: ".q-field__native" },
];
const COPIED = ["aria-label", "aria-valuemin", "aria-valuemax", "aria-valuenow"];

export default {
  template: "<span></span>",
  mounted() {
    this.listener = (event) => copyName(event.target);
    for (const kind of ["focusin", "keyup"]) document.addEventListener(kind, this.listener);
  },
  unmounted() {
    for (const kind of ["focusin", "keyup"]) document.removeEventListener(kind, this.listener);
  },
};

function copyName(target) {
  const owner = OWNERS.find((each) => target.matches(each.focused));
  const named = owner && target.closest(owner.named);
  if (!named) return;
  if (!target.hasAttribute("role")) target.setAttribute("role", named.getAttribute("role"));
  for (const name of COPIED)
    if (named.hasAttribute(name)) target.setAttribute(name, named.getAttribute(name));
}
