"""A control for each option, built from the option's description in `RenderOptions`."""

from collections.abc import Awaitable, Callable
from typing import Any

from nicegui import ui

from howard.app.ui import texts
from howard.app.ui.elements import icon_button
from howard.app.ui.file_browser import FileBrowser
from howard.errors import SettingsError
from howard.fields import Between, Setting, split_list

# Seconds between the values that a slider sends while it is dragged.
_THROTTLE = 0.15
# Slider steps: of values up to 1, and of values in pixels.
_FINE_STEP = 0.01
_COARSE_STEP = 0.5
# Milliseconds after the last key press until a typed number is applied.
_TYPING_PAUSE = 500

Apply = Callable[[str, Any], Awaitable[None]]


class Control:
    """A row with an option's name and value; a double-click on the name or the slider resets it."""

    def __init__(self, setting: Setting, apply: Apply) -> None:
        self.setting = setting
        self._apply = apply
        self._value: Any = setting.default
        self._show: Callable[[Any], object] = lambda value: None
        name = texts.LABELS.get(setting.name, setting.name.replace("_", " "))
        with ui.row().classes("howard-control") as self._row:
            self._label = ui.label(name).classes("howard-label")
            with self._label:
                ui.tooltip(f"{setting.explain()}. {texts.RESET}.").props("delay=600 max-width=340px")
            self._label.on("dblclick", self._reset)
            self._build(f"{name}: {setting.doc}")

    def refresh(self, value: Any) -> None:
        """Show a value that was set elsewhere."""
        if value != self._value:
            self._value = value
            self._show(value)
            self._mark()

    def _build(self, name: str) -> None:
        setting = self.setting
        if setting.is_list:
            self._build_checkboxes()
        elif setting.choices:
            self._build_choice(name)
        elif bool in setting.types:
            switch = ui.switch(value=setting.default, on_change=lambda event: self._set(event.value)).props("dense")
            switch.props["aria-label"] = name
            self._show = switch.set_value
        elif isinstance(setting.check, Between):
            self._build_slider(name, setting.check)
        else:
            self._build_text(name)

    def _build_choice(self, name: str) -> None:
        choices = {each: f"{each} ({meaning})" if meaning else each for each, meaning in self.setting.choices.items()}
        select = ui.select(choices, value=self.setting.default, on_change=lambda event: self._set(event.value))
        select.props("dense options-dense outlined").classes("howard-grow")
        select.props["aria-label"] = name

        def show(value: Any) -> None:
            select.set_value(value)
            # The field is too narrow for the explanations in the list.
            select.props["display-value"] = str(value)
            select.update()

        self._show = show
        show(self.setting.default)

    def _build_checkboxes(self) -> None:
        """One checkbox per choice; the option has its default while none is checked."""
        boxes: dict[str, ui.checkbox] = {}

        async def collect() -> None:
            checked = tuple(each for each, box in boxes.items() if box.value)
            value = checked or self.setting.default
            show(value)
            await self._set(value)

        def show(value: Any) -> None:
            checked = () if value is None else split_list(value)
            for each, box in boxes.items():
                box.set_value(each in checked)

        with ui.column().classes("howard-checkboxes"):
            for each, meaning in self.setting.choices.items():
                box = boxes[each] = ui.checkbox(each).props("dense size=xs")
                box.on("update:model-value", collect)
                if meaning:
                    with box:
                        ui.tooltip(meaning).props("delay=600")
        self._show = show
        show(self.setting.default)

    def _build_slider(self, name: str, bounds: Between) -> None:
        step = _FINE_STEP if bounds.most <= 1 else _COARSE_STEP
        slider = ui.slider(min=bounds.least, max=bounds.most, step=step, value=self.setting.default)
        slider.props("dense").classes("howard-grow")
        slider.props["aria-label"] = name
        slider.on("update:model-value", lambda event: self._set(event.args), throttle=_THROTTLE, leading_events=False)
        # After the value that the double-click's first press sets, which is sent with a delay.
        slider.on("dblclick", self._reset, throttle=2 * _THROTTLE, leading_events=False)
        default = self.setting.default
        # Without a default of its own the value follows another setting.
        number = ui.number(value=default, placeholder="auto" if default is None else None, step=step)
        number.classes("howard-number")
        number.props(f"dense borderless debounce={_TYPING_PAUSE}")
        number.props["aria-label"] = name
        number.on("update:model-value", lambda event: self._set_text(event.args))

        def show(value: Any) -> None:
            slider.set_value(value)
            number.set_value(value)

        self._show = show

    def _build_text(self, name: str) -> None:
        setting = self.setting
        field = ui.input(placeholder=setting.default_text()).props("dense outlined").classes("howard-grow")
        field.props["aria-label"] = name

        def show(value: Any) -> None:
            field.set_value("" if value == setting.default else str(value))

        for event in ("blur", "keydown.enter"):
            field.on(event, lambda: self._set_text(field.value))
        if setting.is_path:

            async def browse() -> None:
                path = await FileBrowser(texts.CHOOSE_FILE).choose()
                if path is not None:
                    await self._set_text(str(path))

            icon_button("folder_open", texts.CHOOSE_FILE, browse)
        self._show = show

    async def _set_text(self, text: Any) -> None:
        """Set a typed value; an empty text means the default."""
        typed = "" if text is None else str(text).strip()
        try:
            value = self.setting.parse(typed) if typed else self.setting.default
        except SettingsError:
            # `Project.update` checks all values, and its error is shown.
            value = typed
        await self._set(value)

    async def _reset(self) -> None:
        await self._set(self.setting.default)
        self._show(self._value)

    async def _set(self, value: Any) -> None:
        if value != self._value:
            self._value = value
            self._show(value)
            self._mark()
            await self._apply(self.setting.name, value)

    def _mark(self) -> None:
        """Show the names of changed options in bold."""
        is_changed = self._value != self.setting.default
        self._label.classes(**{"add" if is_changed else "remove": "howard-changed"})
