// Quasar gives names to sliders and selections, but to other elements of these than those that get the focus: screen
// readers would read a selection without its name. The name and the value are handed on when the focus comes.

const OWNERS = [
  { focused: ".q-slider__track-container", named: ".q-slider" },
  { focused: ".q-select__focus-target", named: ".q-field__native" },
];
const HANDED_ON = ["aria-label", "aria-valuemin", "aria-valuemax", "aria-valuenow"];

export default {
  template: "<span></span>",
  mounted() {
    this.handOn = (event) => handOn(event.target);
    for (const kind of ["focusin", "keyup"]) document.addEventListener(kind, this.handOn);
  },
  unmounted() {
    for (const kind of ["focusin", "keyup"]) document.removeEventListener(kind, this.handOn);
  },
};

function handOn(target) {
  const owner = OWNERS.find((each) => target.matches(each.focused));
  const named = owner && target.closest(owner.named);
  if (!named) return;
  if (!target.hasAttribute("role")) target.setAttribute("role", named.getAttribute("role"));
  for (const name of HANDED_ON)
    if (named.hasAttribute(name)) target.setAttribute(name, named.getAttribute(name));
}
