"""The HTML report of a finished render: one page, made from the render's sidecar, journals and sampled frames."""

from howard.report.report_page import write_report

__all__ = ["write_report"]
