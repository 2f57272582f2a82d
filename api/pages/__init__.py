"""The citizen's page: server-made HTML in Chinese, mobile first, whole without JavaScript."""
