"""The page that explains a finished render: one HTML file, made from the render's sidecar and samples."""

from howard.report.page import write_report

__all__ = ["write_report"]
