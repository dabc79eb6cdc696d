"""Why a text is a copy: explanations, the report, terminal and notebook views."""
